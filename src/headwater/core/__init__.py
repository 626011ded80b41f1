"""The reactive core: values, schema, transactions and subscriptions. Imports no web library."""
