eA=1
export B = 2
C='single $A'
D="double $A ${B:-x} ${N:-y} ${N-z} ${A:+p} ${N:+q} ${A:?e} \" \n \$ \\ $"
E=${N:?must be set}
F=${N?}
G=${A=odd}
H=${
I=${A
J=${:-x}
K=${N:-${N:-${N:-${N:-${N:-${N:-${N:-${N:-${N:-x}}}}}}}}}
L=bare # comment
M=bare#no comment
O="x" y
P='open
