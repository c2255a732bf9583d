"""What people did: takes events in, recognises the visitor, joins visitor to lead."""
