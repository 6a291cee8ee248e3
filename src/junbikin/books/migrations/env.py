"""How Alembic runs the migrations: on the connection that `books.migrate` hands it, within its transaction."""

from alembic import context

from junbikin.books.schema import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
context.run_migrations()
