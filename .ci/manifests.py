"""What is true of deploy/, as kubectl renders it to standard input.

    python3 .ci/manifests.py check SETTINGS CONFIG   holds it against the schemas of Kubernetes, against the names of settings in the
                                                     file SETTINGS, and against the image's CONFIG; then plants mistakes in it
    python3 .ci/manifests.py run KIND CONTAINER      options of .ci/container.py that run this container; @NAME is the place of a
                                                     secret or volume
    python3 .ci/manifests.py script KIND CONTAINER   its script
"""

import copy
import functools
import json
import pathlib
import re
import sys

import kubernetes_validate
import yaml

# The oldest that has what is used, and the newest that the tool knows.
VERSIONS = ('1.31', '1.37')
GRACE = 'LIVENESS_SHUTDOWN_GRACE'
# What others than we make in the cluster: docs/operations.md says how.
SECRETS = {
    'liveness': {'database-url', 'keys-url', 'trail.pem', 'jwt-secret'},
    'liveness-owner': {'database-url', 'keys-url'},
}


def kinds(documents, kind):
    return [document for document in documents if document['kind'] == kind]


def pods(documents):
    """The templates of pods, each with the kind of what makes it."""
    for kind in ('Deployment', 'Job'):
        for document in kinds(documents, kind):
            yield kind, document['spec']['template']


def containers(pod):
    return pod['spec'].get('initContainers', []) + pod['spec']['containers']


def ours(documents):
    return [(kind, pod, one) for kind, pod in pods(documents) for one in containers(pod) if is_ours(one)]


def is_ours(container):
    return container['image'].split('/')[-1].split(':')[0] == 'liveness'


def environment(documents, container):
    """Its variables. What it says itself counts more than what it takes from a map."""
    maps = {one['metadata']['name']: one['data'] for one in kinds(documents, 'ConfigMap')}
    found = {}
    for source in container.get('envFrom', []):
        found |= maps[source['configMapRef']['name']]
    return found | {one['name']: one['value'] for one in container.get('env', [])}


def mounts(pod, container):
    """The names of secrets and volumes, by where they are."""
    sources = {}
    for volume in pod['spec'].get('volumes', []):
        source = volume.get('secret') or volume.get('persistentVolumeClaim') or volume['configMap']
        sources[volume['name']] = next(source[key] for key in ('secretName', 'claimName', 'name') if key in source)
    return {one['mountPath']: sources[one['name']] for one in container.get('volumeMounts', [])}


@functools.cache
def against_schema(text, version):
    """What the schema says of a document, which most mistakes leave as it is."""
    document = json.loads(text)
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f'{document["kind"]}: Kubernetes {version}: {error.message[:200]}']
    except kubernetes_validate.SchemaNotFoundError:
        return [f'{document["kind"]}: Kubernetes {version} has none of {document["apiVersion"]}']
    return []


def against_schemas(documents):
    for document in documents:
        for version in VERSIONS:
            yield from against_schema(json.dumps(document), version)


def against_settings(documents, settings):
    for kind, pod, container in ours(documents):
        where = mounts(pod, container)
        for name, value in environment(documents, container).items():
            if name not in settings:
                yield f'{kind}: {name} is no setting'
            if value.startswith('/run/secrets/'):
                folder, _, key = value.rpartition('/')
                # The migration needs no key of tokens, and has none.
                if folder not in where and kind == 'Deployment':
                    yield f'{kind}: {name} is in {folder}, where nothing is mounted'
                elif key not in SECRETS.get(folder.rpartition('/')[2], ()):
                    yield f'{kind}: {name}: no secret has {key}'
                if not name.endswith('_FILE'):
                    yield f'{kind}: {name} names a file, and is not read from one'
            elif re.search(r'://[^/]*:[^/]*@', value) or name in ('LIVENESS_JWT_SECRET', 'LIVENESS_DATABASE_URL'):
                yield f'{kind}: {name} is a secret, and no file'
        if 'LIVENESS_DATABASE_URL_FILE' not in environment(documents, container):
            yield f'{kind}: it would use a database of its own'


def against_image(documents, config, version):
    user, group = map(int, config['User'].split(':'))
    for kind, pod in pods(documents):
        security = pod['spec']['securityContext']
        if (security.get('runAsUser'), security.get('runAsGroup'), security.get('fsGroup')) != (user, group, group):
            yield f'{kind}: it does not run as the user of the image, {config["User"]}'
        if pod['spec'].get('automountServiceAccountToken') is not False:
            yield f'{kind}: it has a token of the cluster'
        if not security.get('runAsNonRoot') or security.get('seccompProfile', {}).get('type') != 'RuntimeDefault':
            yield f'{kind}: it may run as root, or without seccomp'
        for container in containers(pod):
            confined = container.get('securityContext', {})
            if (confined.get('allowPrivilegeEscalation'), confined.get('readOnlyRootFilesystem')) != (False, True):
                yield f'{kind}: {container["name"]} may gain rights, or write its root'
            if confined.get('capabilities', {}).get('drop') != ['ALL'] or 'add' in confined['capabilities']:
                yield f'{kind}: {container["name"]} has capabilities'
            if 'memory' not in container.get('resources', {}).get('limits', {}):
                yield f'{kind}: {container["name"]} has no limit of memory'
            if is_ours(container) and not container['image'].endswith(f':{version}'):
                yield f'{kind}: {container["image"]} is not the version {version}'
    for kind, pod, container in ours(documents):
        volumes = set(mounts(pod, container))
        if not set(config['Volumes']) <= volumes:
            yield f'{kind}: the volume of the image is not mounted'
        if 'command' in container:
            yield f'{kind}: it does not run the program of the image'


def in_itself(documents):
    deployment, = kinds(documents, 'Deployment')
    pod = deployment['spec']['template']
    labels, container = pod['metadata']['labels'], pod['spec']['containers'][0]
    settings = environment(documents, container)
    if deployment['spec']['replicas'] < 2:
        yield 'Deployment: it is one node'
    selectors = [deployment['spec']['selector']['matchLabels']]
    selectors += [one['spec']['selector'] for one in kinds(documents, 'Service')]
    selectors += [one['spec']['selector']['matchLabels'] for one in kinds(documents, 'PodDisruptionBudget')]
    selectors += [one['labelSelector']['matchLabels'] for one in pod['spec']['topologySpreadConstraints']]
    for selector in selectors:
        chosen = [kind for kind, pod in pods(documents) if selector.items() <= pod['metadata']['labels'].items()]
        if chosen != ['Deployment']:
            yield f'{selector} chooses {chosen}'
    for kind, pod_of in pods(documents):
        policies = [one['spec']['podSelector'].get('matchLabels', {}) for one in kinds(documents, 'NetworkPolicy')]
        if not any(policy.items() <= pod_of['metadata']['labels'].items() for policy in policies):
            yield f'{kind}: no policy says whom it reaches'
    ports = {one['name']: one['containerPort'] for one in container['ports']}
    for setting, name in (('LIVENESS_BIND', 'http'), ('LIVENESS_OPERATIONS_BIND', 'operations')):
        if settings.get(setting, '').rpartition(':')[2] != str(ports.get(name)):
            yield f'Deployment: {setting} is not the port {name}'
    named = {one['targetPort'] for service in kinds(documents, 'Service') for one in service['spec']['ports']}
    for policy in kinds(documents, 'NetworkPolicy'):
        named |= {port['port'] for rule in policy['spec']['ingress'] for port in rule['ports']}
    for probe, path in (('startupProbe', 'live'), ('livenessProbe', 'live'), ('readinessProbe', 'ready')):
        asked = container.get(probe, {}).get('httpGet', {})
        named.add(asked.get('port'))
        if asked.get('path') != f'/health/{path}':
            yield f'Deployment: {probe} does not ask /health/{path}'
    if not named <= ports.keys():
        yield f'Deployment: of {named}, only {set(ports)} are ports'
    slept = container['lifecycle']['preStop']['sleep']['seconds']
    if pod['spec']['terminationGracePeriodSeconds'] < slept + int(settings[GRACE].removesuffix('s')) + 5:
        yield 'Deployment: it is killed while it answers'
    if settings.get('LIVENESS_NO_MIGRATE') != 'true':
        yield 'Deployment: its role would have to own the tables'


def problems(documents, settings, image):
    found = list(against_schemas(documents))
    if not found:
        found += against_settings(documents, settings)
        found += against_image(documents, image['config'], image['config']['Labels']['org.opencontainers.image.version'])
        found += in_itself(documents)
    return found


# Each is a place in what is rendered, and what a hand may have written there. `None` takes it away.
MISTAKES = [
    ('Deployment/spec/replicas', '2'),
    ('Deployment/spec/replica', 2),
    ('Deployment/spec/replicas', 1),
    ('Deployment/spec/template/spec/containers/0/readinessProb', {}),
    ('Deployment/spec/template/spec/containers/0/readinessProbe/httpGet/path', '/ready'),
    ('Deployment/spec/template/spec/containers/0/livenessProbe/httpGet/path', '/health/ready'),
    ('Deployment/spec/template/spec/containers/0/ports/0/containerPort', 8081),
    ('Deployment/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem', None),
    ('Deployment/spec/template/spec/containers/0/resources/limits', None),
    ('Deployment/spec/template/spec/containers/0/command', ['sh']),
    ('Deployment/spec/template/spec/containers/0/image', 'liveness:latest'),
    ('Deployment/spec/template/spec/containers/0/volumeMounts/0/mountPath', '/run/secrets'),
    ('Deployment/spec/template/spec/securityContext/runAsUser', 1000),
    ('Deployment/spec/template/spec/terminationGracePeriodSeconds', 20),
    ('Deployment/spec/template/metadata/labels/app.kubernetes.io~1component', 'migrate'),
    ('Job/spec/template/metadata/labels/app.kubernetes.io~1component', 'server'),
    ('Job/spec/template/spec/initContainers/0/env/0/name', 'LIVENESS_DATABASE_URI_FILE'),
    ('Job/spec/template/spec/containers/0/securityContext/capabilities/add', ['NET_RAW']),
    ('PodDisruptionBudget/apiVersion', 'policy/v1beta1'),
    ('NetworkPolicy/spec/podSelector/matchLabels', {'app': 'liveness'}),
    ('NetworkPolicy/spec/ingress/0/ports/0/port', 'https'),
    ('Service/spec/ports/0/targetPort', 'web'),
    ('ConfigMap/data/LIVENESS_OPERATIONS_BIND', '0.0.0.0:9091'),
    ('ConfigMap/data/LIVENESS_DATABASE_URL', 'postgres://liveness:secret@db/liveness'),
    ('ConfigMap/data/LIVENESS_DATABASE_URL_FILE', None),
    ('ConfigMap/data/LIVENESS_TRAIL_KEY', '/run/secrets/liveness/trail.pem'),
    ('ConfigMap/data/LIVENESS_TRAIL_KEY_FILE', '/run/secrets/liveness/trail.key'),
    ('ConfigMap/data/LIVENESS_SHUTDOWN_GRACE', '60s'),
]


def with_mistake(documents, path, value):
    documents = copy.deepcopy(documents)
    kind, *steps, last = (step.replace('~1', '/') for step in path.split('/'))
    place = kinds(documents, kind)[0]
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return documents


def check(documents, settings, config):
    settings = set(re.findall(r'\bLIVENESS_[A-Z_]+', pathlib.Path(settings).read_text())) | {'RUST_LOG'}
    image = json.loads(pathlib.Path(config).read_text())
    found = problems(documents, settings, image)
    if found:
        sys.exit('\n'.join(found))
    for path, value in MISTAKES:
        found = problems(with_mistake(documents, path, value), settings, image)
        if not found:
            sys.exit(f'this mistake is not found: {path} = {value}')
        print(f'found: {path.rpartition("/")[2]} = {json.dumps(value)}: {found[0][:110]}')
    of_kinds = ', '.join(sorted(document['kind'] for document in documents))
    print(f'{of_kinds}: right by the schemas of Kubernetes {" and ".join(VERSIONS)}, the settings and the image')
    print(f'{len(MISTAKES)} of {len(MISTAKES)} planted mistakes are found')


def chosen(documents, kind, name):
    pod, = (pod for of, pod in pods(documents) if of == kind)
    container, = (one for one in containers(pod) if one['name'] == name)
    return pod, container


def run(documents, kind, name):
    pod, container = chosen(documents, kind, name)
    for variable, value in environment(documents, container).items():
        print(f'--env={variable}={value}')
    print(f'--group={pod["spec"]["securityContext"]["fsGroup"]}')
    read_only = {one['mountPath'] for one in container['volumeMounts'] if one.get('readOnly')}
    for path, place in mounts(pod, container).items():
        print(f'--{"secrets" if path in read_only else "mount"}=@{place}:{path}')


def script(documents, kind, name):
    print(chosen(documents, kind, name)[1]['args'][0])


what, *arguments = sys.argv[1:]
rendered = [document for document in yaml.safe_load_all(sys.stdin) if document]
{'check': check, 'run': run, 'script': script}[what](rendered, *arguments)
