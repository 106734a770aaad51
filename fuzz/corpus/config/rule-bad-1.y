yclaim_rules: [{path: "a..b", op: is, value: x, then: grant}]
