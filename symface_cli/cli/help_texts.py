"""What `--help` says below the options: examples, and where more is told.

A line that holds a backspace alone keeps the lines below it as they are, up to the next empty line.
"""

SYMFACE = """
Example:

\b
  symface symmetrize portrait.jpg

Options can also come from a file with a table per command, which --config names, or symface.toml in the working
folder:

\b
  [symmetrize]
  force = true

and from variables such as SYMFACE_SYMMETRIZE_FORCE=1. The command line goes before variables, and they go before the
file. symface COMMAND --help shows more examples. README.md leads to the manual in docs/; models/README.md describes the
network.
"""

SYMMETRIZE = """
Examples:

\b
  symface symmetrize portrait.jpg                 # portrait.symmetric.jpg
  symface symmetrize portrait.jpg --output face   # the aligned face alone
  symface symmetrize portrait.jpg --shape 0.5 --color 0
  symface symmetrize portrait.jpg --gif           # there and back
  symface symmetrize group.jpg --faces largest -o me.jpg
  symface symmetrize holiday/ -o symmetric/ --report report.html
  symface symmetrize holiday/ -o symmetric/ --resume
  symface symmetrize holiday/ -o out/ --shard 1/2 # the others elsewhere
  symface symmetrize - < portrait.jpg > out.jpg
  symface symmetrize talk.mp4 --start 0:05 --end 1:00
"""

MEASURE = """
Examples:

\b
  symface measure portrait.jpg
  symface measure portrait.jpg --heatmap
  symface measure faces/ --csv faces.csv --heatmap -o maps/
  symface measure faces/ --csv faces.csv --resume
  symface measure portrait.jpg --json -           # for another program
  symface measure --session visits.csv --report visits.html
  symface measure --video smile.mp4 --rest 0:00-0:02 --report smile.html
"""

ASYMMETRY = """
Examples:

\b
  symface asymmetry points.csv
  symface asymmetry points.csv --people people.csv --csv scores.csv
  symface asymmetry landmarks/ --mirror mirror.csv --json -
"""

CLUSTER_HELP = """Do the same with the cores and GPUs of a Ray cluster (pip install "symface[ray]")."""

CLUSTER = """
Examples:

\b
  symface cluster symmetrize photos/ -o out/      # on a node of it
  symface cluster symmetrize photos/ -o out/ --resume
  symface cluster measure s3://b/photos --csv s3://b/a.csv
  symface cluster symmetrize photos/ -o out/ --address local

Photos and results have to be where all nodes see them: in a shared folder, or a store.
"""

MERGE = """
Examples:

\b
  symface merge out/                              # made with --shard
  symface merge out/ --report report.html
"""

LABEL = """
Examples:

\b
  symface label lfw/                              # labels.csv
  symface label lfw/ -o lfw.csv --review lfw.html # and its doubtful ones
  symface label lfw/ --teacher blend              # what two teachers see
"""

TRAIN = """
Examples:

\b
  symface train --stage 1 lfw/
  symface train --stage 2 lfw/
  symface train --stage 3 lfw/
  symface train --stage 3 lfw/ --labels lfw.csv   # that symface label wrote
  symface train --stage 3 lfw/ --resume           # after it was stopped
  symface train --stage 1 --download lfw          # downloads LFW first
  symface train --stage 3 own/ --teacher mesh --clean licenses.csv
"""

EVALUATE = """
Examples:

\b
  symface evaluate lfw/ --limit 300 --baseline dlib
  symface evaluate lfw/ --baseline all --occluder none --occluder glasses
  symface evaluate lfw/ --resume --json scores.json --report scores.html
  symface evaluate --download lfw --recognizer openface
  symface evaluate faces/ --groups groups.csv     # photo,attribute,value
"""

SERVE = """
Examples:

\b
  symface serve                                   # http://127.0.0.1:8137/
  symface serve --port 0 --no-browser             # prints its address
  symface serve --host 0.0.0.0                    # for others, with a token
"""

DOCTOR = """
Examples:

\b
  symface doctor
  symface doctor --device cuda                    # the self-test on a GPU
  symface doctor --json > doctor.json             # to go with a question
"""
