yclaim_rules: [5]
