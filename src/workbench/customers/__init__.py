"""Who the customers are, which group they belong to, which treatment the group gets."""
