yclaim_rules: [{path: a, op: has, value: true, then: deny}]
