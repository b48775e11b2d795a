"""A whole running product for black-box tests: database, sandbox, server process and somebody behind the counter."""
