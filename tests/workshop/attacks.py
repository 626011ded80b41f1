"""What a jailed program might try: each prints ESCAPED only after it did what a jail must prevent.

They are filled in with what they aim at: `path` and `folder` of a file that was not given, a
listening `port`, the `parent` process and its `group`, the `name` of a secret variable.
"""

READ = "print(open({path!r}).read()); print('ESCAPED')"
LIST = "import os; print(os.listdir({folder!r})); print('ESCAPED')"
WRITE = "open({path!r}, 'w').write('x'); print('ESCAPED')"
NEW_FILE = "open({folder!r} + '/new', 'w').write('x'); print('ESCAPED')"
REMOVE = "import os; os.remove({path!r}); print('ESCAPED')"
CHMOD = "import os; os.chmod({path!r}, 0o777); print('ESCAPED')"
TRUNCATE = "import os; os.truncate({path!r}, 0); print('ESCAPED')"
TCP = "import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('ESCAPED')"
UDP = """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))
print('ESCAPED')
"""
UNIX_DATAGRAM = """
import socket
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
print('ESCAPED')
"""
SIGNAL = "import os; os.kill({parent}, 0); print('ESCAPED')"
SIGNAL_GROUP = "import os; os.killpg({group}, 0); print('ESCAPED')"
SIGNAL_BY_OWNER = """
import fcntl, os
fcntl.fcntl(0, fcntl.F_SETOWN, {parent}); print('ESCAPED')
"""
PEER_MEMORY = "open('/proc/{parent}/mem', 'rb').read(1); print('ESCAPED')"
OWN_PROC = "open('/proc/self/environ', 'rb').read(); print('ESCAPED')"
PTRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, {parent}, 0, 0) == 0: print('ESCAPED')
else: raise OSError(ctypes.get_errno(), 'ptrace')
"""
FORK = "import os; pid = os.fork(); print('ESCAPED') if pid else os._exit(0)"
FORK_BOMB = """
import os
made = 0
for _ in range(400):
    try:
        if os.fork() == 0: os._exit(0)
        made += 1
    except OSError: pass
print('ESCAPED' if made else 'blocked')
"""
DAEMON = """
import subprocess, sys
quiet = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.DEVNULL)
sleep = [sys.executable, '-c', 'import time; time.sleep(30)']
subprocess.Popen(sleep, start_new_session=True, **quiet)
print('ESCAPED')
"""
EXECUTE = "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(\"ESCAPED\")'])"
EXECUTE_BY_DESCRIPTOR = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
program = os.open(os.path.realpath(sys.executable), os.O_RDONLY)
argv = (ctypes.c_char_p * 4)(b'python', b'-c', b'print("ESCAPED")', None)
for number in range(3, 300):
    try: os.dup2(program, number)
    except OSError: pass
    libc.syscall({execveat}, number, b'', argv, (ctypes.c_char_p * 1)(None), 0x1000)
raise OSError(ctypes.get_errno(), 'execveat')
"""
RAISE_LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); print('ESCAPED')
"""
ENVIRONMENT = "import os; print('ESCAPED' if {name!r} in os.environ else 'blocked')"
ALLOCATE = "block = bytes(4 << 30); print('ESCAPED')"
BIG_FILE = "open({folder!r} + '/big', 'wb').write(bytes(64 << 20)); print('ESCAPED')"
CPU_LOOP = "while True: pass"

ATTACKS = {
    "read-hidden-file": READ,
    "list-hidden-folder": LIST,
    "write-existing-file": WRITE,
    "write-new-file": NEW_FILE,
    "remove-file": REMOVE,
    "change-mode": CHMOD,
    "truncate": TRUNCATE,
    "tcp": TCP,
    "udp": UDP,
    "unix-datagram": UNIX_DATAGRAM,
    "signal-parent": SIGNAL,
    "signal-parents-group": SIGNAL_GROUP,
    "signal-by-descriptor-owner": SIGNAL_BY_OWNER,
    "parent-memory": PEER_MEMORY,
    "own-proc": OWN_PROC,
    "ptrace-parent": PTRACE,
    "fork": FORK,
    "fork-bomb": FORK_BOMB,
    "daemon": DAEMON,
    "execute": EXECUTE,
    "execute-by-descriptor": EXECUTE_BY_DESCRIPTOR,
    "raise-own-limits": RAISE_LIMIT,
    "read-environment": ENVIRONMENT,
    "4-GB-allocation": ALLOCATE,
    "64-MB-file": BIG_FILE,
}
