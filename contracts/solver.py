"""Decides one SMT query of halmos: by yices, which is quick with words, or else by cvc5, which sees numbers in them and so
decides products and quotients. Prints what the decider says; `unknown` when neither knows in time."""

import os
import subprocess
import sys

QUICK_SECONDS = 2


def yices(query):
    program = os.path.join(os.path.dirname(sys.executable), "yices-smt2")
    try:
        done = subprocess.run([program, query], capture_output=True, text=True, timeout=QUICK_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.stdout.startswith(("sat", "unsat")) else None


def cvc5(query):
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, query)
    said = []
    while not (command := parser.nextCommand()).isNull():
        said.append(command.invoke(solver, parser.getSymbolManager()))
    return "".join(said)


query = sys.argv[1]
print(yices(query) or cvc5(query), end="")
