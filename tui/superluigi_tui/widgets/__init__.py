"""Parts of screens; all text of the catalog goes through `pieces`, never through markup."""
