"""Makes an OCI image of the binary: python3 .ci/image.py BINARY LIBRARIES FOLDER

There is no shell in it: the binary, what it is linked against, the certificates of authorities, the time zones, and the licences of
all that. The image depends on nothing but its parts, so the same parts make the same image, byte for byte. Its date is
SOURCE_DATE_EPOCH. FOLDER becomes an OCI layout.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import time

# Nobody's, as images without a distribution have it: it has no name, because there is no list of users.
USER = 65532
RECORDS = 'var/lib/liveness'
ZONES = pathlib.Path('/usr/share/zoneinfo')
AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
ARCHITECTURES = {'x86_64': 'amd64', 'aarch64': 'arm64'}
SOURCE = pathlib.Path(__file__).parent.parent

binary, libraries, folder = sys.argv[1:]


class Layer:
    """Files of root that nobody may write, in the order of their names."""

    def __init__(self):
        self.entries = {}

    def add(self, path, content, mode=0o644):
        for above in reversed(pathlib.PurePosixPath(path).parents[:-1]):
            self.entries.setdefault(str(above), (tarfile.DIRTYPE, 0o755, 0, b''))
        self.entries[path] = (tarfile.REGTYPE, mode, 0, content)

    def add_folder(self, path, mode, owner):
        self.add(path, b'')
        self.entries[path] = (tarfile.DIRTYPE, mode, owner, b'')

    def tar(self):
        packed, seen = io.BytesIO(), {}
        with tarfile.open(fileobj=packed, mode='w', format=tarfile.PAX_FORMAT) as tar:
            for path, (kind, mode, owner, content) in sorted(self.entries.items()):
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode, entry.uid, entry.gid = kind, mode, owner, owner
                # Many zones are the same one under several names.
                if content and content in seen:
                    entry.type, entry.linkname = tarfile.LNKTYPE, seen[content]
                else:
                    entry.size = len(content)
                    seen[content] = path
                tar.addfile(entry, io.BytesIO(content))
        return packed.getvalue()


def stripped(path):
    """The binary without its symbols, of which it needs none to run."""
    target = os.path.join(folder, 'stripped')
    subprocess.run(['strip', '--strip-all', '-o', target, path], check=True)
    content = pathlib.Path(target).read_bytes()
    os.remove(target)
    return content


def linked(path):
    """What the loader would load for it, by the names that it has there."""
    told = subprocess.run(['ldd', path], check=True, capture_output=True, text=True).stdout
    if 'not found' in told:
        sys.exit(told)
    return re.findall(r'^\t(?:\S+ => )?(/\S+) \(', told, re.M)


def packages_of(files):
    """Debian's packages of these files, each of which has a licence."""
    for file in files:
        names = [file, os.path.realpath(file), os.path.realpath(file).removeprefix('/usr')]
        for name in names:
            told = subprocess.run(['dpkg-query', '--search', name], capture_output=True, text=True)
            if told.returncode == 0:
                yield told.stdout.split(':')[0]
                break
        else:
            sys.exit(f'{file} is of no package')


def below():
    """What changes seldom: the layer below that of the binary."""
    layer = Layer()
    found = linked(binary)
    for file in found:
        layer.add(file.lstrip('/'), pathlib.Path(file).read_bytes(), 0o755)
    layer.add(AUTHORITIES.lstrip('/'), pathlib.Path(AUTHORITIES).read_bytes())
    for file in ZONES.rglob('*'):
        if file.is_file() and file.relative_to(ZONES).parts[0] not in ('posix', 'right'):
            content = file.read_bytes()
            if content.startswith(b'TZif'):
                layer.add(str(file).lstrip('/'), content)
    for package in {*packages_of(found), 'ca-certificates', 'tzdata'}:
        licence = pathlib.Path('/usr/share/doc', package, 'copyright')
        layer.add(str(licence).lstrip('/'), licence.read_bytes())
    layer.add_folder(RECORDS, 0o700, USER)
    return layer


def above():
    """What is ours."""
    layer = Layer()
    layer.add('usr/bin/liveness-http', stripped(binary), 0o755)
    licence = (SOURCE / 'crates/liveness-http/debian/copyright').read_bytes()
    layer.add('usr/share/doc/liveness/copyright', licence)
    layer.add('usr/share/doc/liveness/libraries', pathlib.Path(libraries).read_bytes())
    return layer


def put(content):
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {'digest': f'sha256:{digest}', 'size': len(content)}


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':')).encode()


version = subprocess.run([binary, '--version'], check=True, capture_output=True, text=True).stdout.split()[-1]
created = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(int(os.environ['SOURCE_DATE_EPOCH'])))
architecture = ARCHITECTURES[os.uname().machine]
blobs = pathlib.Path(folder, 'blobs/sha256')
blobs.mkdir(parents=True)
tars = [below().tar(), above().tar()]
config = {
    'created': created,
    'architecture': architecture,
    'os': 'linux',
    'config': {
        'User': f'{USER}:{USER}',
        'Entrypoint': ['/usr/bin/liveness-http'],
        'Cmd': ['serve'],
        # Where the default of LIVENESS_DATABASE_URL is.
        'WorkingDir': f'/{RECORDS}',
        'Env': [
            'LIVENESS_BIND=0.0.0.0:8080',
            f'LIVENESS_FACE_KEYS=file:/{RECORDS}/face-keys',
            # For sslrootcert=system of libpq as well.
            f'SSL_CERT_FILE={AUTHORITIES}',
        ],
        'ExposedPorts': {'8080/tcp': {}},
        'Volumes': {f'/{RECORDS}': {}},
        'StopSignal': 'SIGTERM',
        'Labels': {
            'org.opencontainers.image.title': 'liveness',
            'org.opencontainers.image.description': 'The backend behind "prove you are a real person"',
            'org.opencontainers.image.version': version,
            'org.opencontainers.image.licenses': 'MIT OR Apache-2.0',
            'org.opencontainers.image.created': created,
        },
    },
    'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{hashlib.sha256(tar).hexdigest()}' for tar in tars]},
    'history': [
        {'created': created, 'created_by': 'libraries, certificates of authorities, time zones'},
        {'created': created, 'created_by': f'liveness {version}'},
    ],
}
OCI = 'application/vnd.oci.image'
layers = [{'mediaType': f'{OCI}.layer.v1.tar+gzip', **put(gzip.compress(tar, 6, mtime=0))} for tar in tars]
manifest = {
    'schemaVersion': 2,
    'mediaType': f'{OCI}.manifest.v1+json',
    'config': {'mediaType': f'{OCI}.config.v1+json', **put(as_json(config))},
    'layers': layers,
}
index = {
    'schemaVersion': 2,
    'mediaType': f'{OCI}.index.v1+json',
    'manifests': [{
        'mediaType': f'{OCI}.manifest.v1+json',
        **put(as_json(manifest)),
        'platform': {'architecture': architecture, 'os': 'linux'},
        # By which it is known once it is loaded.
        'annotations': {'org.opencontainers.image.ref.name': f'liveness:{version}'},
    }],
}
pathlib.Path(folder, 'oci-layout').write_bytes(as_json({'imageLayoutVersion': '1.0.0'}))
pathlib.Path(folder, 'index.json').write_bytes(as_json(index))
print(version, sum(map(len, tars)), sum(layer['size'] for layer in layers), index['manifests'][0]['digest'])
