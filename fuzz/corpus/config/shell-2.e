eA="over
lines" # c
A=again
9X=1
B
C=a b  
D=
=x
E=ÿ
# comment

  F=1
$G=1
H=$A$B${A}\$A
I="a\tb\rc\e"
