"""Run by Alembic: takes the steps on the connection that `engine.migrate` has opened."""

from alembic import context

from greenchannel.store.schema import metadata

# The connection is in a transaction already, so Alembic opens none: all steps are taken, or none.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
)
context.run_migrations()
