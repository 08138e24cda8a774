"""Writes how one container of an unpacked image runs: python3 .ci/container.py BUNDLE CONFIG OPTION... -- ARGUMENT...

As a kubelet would have it by deploy/deployment.yaml: the root cannot be written, there is no capability, and nothing is mounted
besides what an option names. Only the network is that of this machine. CONFIG is made of the image's own.

    --env NAME=VALUE
    --mount PLACE:PATH      a file or folder, which can be written to
    --secrets PLACE:PATH    the same, which cannot
    --group GID             a group that the process is in besides
"""

import argparse
import json
import pathlib
import sys

KEPT = {'/proc', '/dev', '/sys'}

parser = argparse.ArgumentParser()
parser.add_argument('bundle', type=pathlib.Path)
parser.add_argument('config', type=pathlib.Path)
parser.add_argument('--env', action='append', default=[])
parser.add_argument('--mount', action='append', default=[])
parser.add_argument('--secrets', action='append', default=[])
parser.add_argument('--group', action='append', type=int, default=[])
cut = sys.argv.index('--')
given, arguments = parser.parse_args(sys.argv[1:cut]), sys.argv[cut + 1:]

config = json.loads((given.bundle / 'config.json').read_text())


def bound(text, access):
    place, path = text.rsplit(':', 1)
    return {'destination': path, 'type': 'bind', 'source': place, 'options': ['bind', 'nosuid', 'nodev', access]}


process = config['process']
process['terminal'] = False
# Of two values the last would count, or the first.
named = dict(pair.split('=', 1) for pair in process['env'] + given.env)
process['env'] = [f'{name}={value}' for name, value in named.items()]
process['capabilities'] = {}
process['noNewPrivileges'] = True
process['user']['additionalGids'] = given.group
process.pop('rlimits', None)
# As who runs an image says them: after its program.
process['args'] = process['args'][:1] + (arguments or process['args'][1:])
config['root'] = {'path': str(given.bundle / 'rootfs'), 'readonly': True}
config['mounts'] = [mount for mount in config['mounts'] if mount['destination'] in KEPT]
config['mounts'] += [bound(text, 'rw') for text in given.mount] + [bound(text, 'ro') for text in given.secrets]
config['linux']['namespaces'] = [space for space in config['linux']['namespaces'] if space['type'] != 'network']
config['linux'].pop('resources', None)
given.config.write_text(json.dumps(config))
