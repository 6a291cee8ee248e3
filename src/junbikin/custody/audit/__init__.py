"""The audit pack (監査資料一式): what an auditor of segregation needs, as a folder that is checked without the database."""
