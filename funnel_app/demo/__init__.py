"""The story of Northwind Automation: a company that never was, told from a seed.

Plain data (`company`, `market`, `names`) and pure generators (`prospects`,
`journeys`, `browsing`, `mailings`, `visitors`): the same seed and the same day tell the
same story. Only `copying` and `seeding` touch the database.
"""
