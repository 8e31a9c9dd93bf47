"""What people see: who they are decides which views they get; a view opens one look or calls one verb."""
