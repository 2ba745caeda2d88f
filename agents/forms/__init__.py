"""What managers type, and how it becomes what is stored."""
