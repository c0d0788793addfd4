revision = "0041"
