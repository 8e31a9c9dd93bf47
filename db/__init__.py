"""PostgreSQL: models, migrations, the posting functions, the questions in SQL, the embedded server."""
