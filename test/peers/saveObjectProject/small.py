plain = {"a": 1}
