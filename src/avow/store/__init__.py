"""SQL connections and the schema of Avow's own tables. Knows no meaning of what it keeps."""
