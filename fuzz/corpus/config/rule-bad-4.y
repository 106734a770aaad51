yclaim_rules: [{path: a.b.c.d.e.f.g.h.i, op: has, value: x, then: deny}]
