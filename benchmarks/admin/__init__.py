"""What each page of the admin costs on a seeded database: which pages there are (`visits`), and what one takes (`measuring`)."""
