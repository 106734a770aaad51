yclaim_rules: [{path: a, op: is, value: [], then: deny}]
