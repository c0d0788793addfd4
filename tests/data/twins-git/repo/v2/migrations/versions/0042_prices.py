revision = "0042"
down_revision = "0041"
