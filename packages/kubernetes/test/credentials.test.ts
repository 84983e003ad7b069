import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createKubernetesSource } from '@laneway/kubernetes'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { findClusterAccess } from '../src/access/find-cluster.js'
import { inClusterAccess } from '../src/access/in-cluster.js'
import { kubeconfigAccess } from '../src/access/kubeconfig-access.js'
import { Cluster, writeFile } from './cluster.js'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function config(user: unknown, cluster: unknown = { server: 'https://example.test:6443' }): string {
  return JSON.stringify({
    'current-context': 'one',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'two', context: { cluster: 'c' } },
    ],
  })
}

t.test('the ways of authentication of a kubeconfig', async t => {
  const token = writeFile(t, 'token', 'from-file\n')
  const cases: [user: unknown, headers: Record<string, string>, tls: Record<string, unknown>][] = [
    [{ token: 'abc' }, { authorization: 'Bearer abc' }, {}],
    [{ tokenFile: token }, { authorization: 'Bearer from-file' }, {}],
    [{ username: 'u', password: 'p' }, { authorization: `Basic ${base64('u:p')}` }, {}],
    [
      { token: 'abc', as: 'jane', 'as-groups': ['g1', 'g2'] },
      { authorization: 'Bearer abc', 'impersonate-user': 'jane', 'impersonate-group': 'g1, g2' },
      {},
    ],
    [
      { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') },
      {},
      { cert: Buffer.from('cert'), key: Buffer.from('key') },
    ],
    [{}, {}, {}],
  ]
  for (const [user, headers, tls] of cases) {
    const access = kubeconfigAccess([writeFile(t, 'config', config(user))], undefined, {})
    t.equal(access.namespace, 'shop')
    t.strictSame(await access.credentials(false), { headers, tls }, JSON.stringify(user))
  }
})

t.test('file names are relative to their kubeconfig and read anew each time', async t => {
  const file = writeFile(
    t,
    'config',
    config(
      { tokenFile: 'my-token' },
      {
        server: 'https://h',
        'certificate-authority': 'ca.pem',
        'tls-server-name': 'k8s',
        'insecure-skip-tls-verify': true,
      },
    ),
  )
  writeFileSync(join(file, '..', 'my-token'), 'first')
  writeFileSync(join(file, '..', 'ca.pem'), 'CA')
  const access = kubeconfigAccess([file], undefined, {})
  t.strictSame(await access.credentials(false), {
    headers: { authorization: 'Bearer first' },
    tls: { ca: Buffer.from('CA'), servername: 'k8s', rejectUnauthorized: false },
  })
  writeFileSync(join(file, '..', 'my-token'), 'second')
  t.strictSame((await access.credentials(false)).headers, { authorization: 'Bearer second' })
})

t.test('several files: the first that names a thing wins', async t => {
  const first = writeFile(t, 'a', JSON.stringify({ users: [{ name: 'u', user: { token: 'first' } }] }))
  const second = writeFile(t, 'b', config({ token: 'second' }))
  const access = findClusterAccess(undefined, undefined, { KUBECONFIG: `${first}:${second}` })
  t.strictSame((await access.credentials(false)).headers, { authorization: 'Bearer first' })
  t.equal(findClusterAccess(second, 'two', {}).namespace, 'default')
})

t.test('the namespace is that of the context, else POD_NAMESPACE, else default', async t => {
  const file = writeFile(t, 'config', config({ token: 'abc' }))
  const cases: [context: string, env: Record<string, string>, namespace: string][] = [
    ['one', { POD_NAMESPACE: 'billing' }, 'shop'],
    ['two', { POD_NAMESPACE: ' billing\n' }, 'billing'],
    ['two', { POD_NAMESPACE: '' }, 'default'],
    ['two', {}, 'default'],
  ]
  for (const [context, env, namespace] of cases) {
    t.equal(findClusterAccess(file, context, env).namespace, namespace, `${context} ${JSON.stringify(env)}`)
  }
})

t.test('a kubeconfig that cannot be used says why', async t => {
  const cases: [content: string, message: RegExp][] = [
    ['a: [', /cannot read the kubeconfig .*config:/],
    ['{}', /no current-context/],
    ['current-context: x', /no context "x"/],
    [
      JSON.stringify({ 'current-context': 'a', contexts: [{ name: 'a', context: { cluster: 'c' } }] }),
      /no cluster "c"/,
    ],
    [config({}, { server: 'nowhere' }), /no usable server, received "nowhere"/],
    [config({ 'auth-provider': {} }), /uses auth-provider, which is not supported; use its exec plugin/],
    [config({}, { server: 'https://h', 'proxy-url': 'http://p' }), /uses proxy-url/],
  ]
  for (const [content, message] of cases) {
    t.throws(() => kubeconfigAccess([writeFile(t, 'config', content)], undefined, {}), {
      code: 'LANEWAY_SOURCE',
      message,
    })
  }
  t.throws(() => findClusterAccess('/no/such/file', undefined, {}), { code: 'LANEWAY_SOURCE' })
})

t.test('an exec plugin is asked once until its credential expires or is refused', async t => {
  const plugin = writeFile(
    t,
    'plugin.sh',
    `#!/bin/sh
echo run >> "\${0%/*}/runs"
n=0
while read -r _; do n=$((n + 1)); done < "\${0%/*}/runs"
[ "$n" = 3 ] && e=2020-01-01T00:00:00Z || e=2099-01-01T00:00:00Z
printf '{"status":{"token":"%s-%s-%s","expirationTimestamp":"%s"}}' "$1" "$EXTRA" "$n" "$e"
`,
  )
  chmodSync(plugin, 0o755)
  const exec = {
    command: plugin,
    args: ['arg'],
    env: [{ name: 'EXTRA', value: 'env' }],
    apiVersion: 'client.authentication.k8s.io/v1',
  }
  const access = kubeconfigAccess([writeFile(t, 'config', config({ exec }))], undefined, { PATH: process.env['PATH'] })
  const token = async (refused: boolean) => (await access.credentials(refused)).headers['authorization']
  t.strictSame(
    await Promise.all([token(false), token(false)]),
    ['Bearer arg-env-1', 'Bearer arg-env-1'],
    'one run for both',
  )
  t.equal(await token(false), 'Bearer arg-env-1')
  t.equal(await token(true), 'Bearer arg-env-2', 'refused')
  t.equal(await token(true), 'Bearer arg-env-3')
  t.equal(await token(false), 'Bearer arg-env-4', 'expired')
})

t.test('an exec plugin with a relative path runs from the folder of its kubeconfig', async t => {
  const plugin = (token: string) => `#!/bin/sh\nprintf '{"status":{"token":"${token}"}}'\n`
  const folder = t.testdir({
    kube: { config: config({ exec: { command: './login' } }), login: plugin('beside') },
    inside: { config: config({ exec: { command: 'bin/login' } }), bin: { login: plugin('inside') } },
    path: { config: config({ exec: { command: 'login' } }), login: plugin('not in PATH') },
    bin: { login: plugin('in PATH') },
  })
  for (const name of ['kube/login', 'inside/bin/login', 'path/login', 'bin/login']) chmodSync(join(folder, name), 0o755)
  const token = async (file: string) => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }
    return (await kubeconfigAccess([file], undefined, env).credentials(false)).headers['authorization']
  }
  t.equal(await token(join(folder, 'kube', 'config')), 'Bearer beside')
  t.equal(await token(relative(process.cwd(), join(folder, 'kube', 'config'))), 'Bearer beside')
  t.equal(await token(join(folder, 'inside', 'config')), 'Bearer inside')
  t.equal(await token(join(folder, 'path', 'config')), 'Bearer in PATH', 'a name alone is looked for in PATH')
})

t.test('an exec plugin that fails, or prints nonsense, is named with its hint', async t => {
  const env = { PATH: process.env['PATH'] }
  const with_ = (exec: unknown) => kubeconfigAccess([writeFile(t, 'config', config({ exec }))], undefined, env)
  await t.rejects(with_({ command: 'no-such-plugin', installHint: 'install it' }).credentials(false), {
    code: 'LANEWAY_AUTH',
    message: /no-such-plugin failed: .*; install it/,
  })
  await t.rejects(with_({ command: process.execPath, args: ['--print', '1'] }).credentials(false), {
    code: 'LANEWAY_AUTH',
    message: /printed no ExecCredential/,
  })
})

t.test('inside a pod: host, port and namespace are given, token and CA are read anew', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-sa-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  t.equal(inClusterAccess(env, folder), undefined, 'no token, no pod')
  for (const [name, content] of Object.entries({ token: 'one\n', 'ca.crt': 'CA', namespace: 'shop\n' }))
    writeFileSync(join(folder, name), content)
  t.equal(inClusterAccess({}, folder), undefined)
  const access = inClusterAccess(env, folder)
  t.equal(access?.server.href, 'https://[fd00::1]:6443/')
  t.equal(access?.namespace, 'shop')
  t.equal(inClusterAccess({ ...env, POD_NAMESPACE: 'billing' }, folder)?.namespace, 'billing')
  t.strictSame(await access?.credentials(false), {
    tls: { ca: Buffer.from('CA') },
    headers: { authorization: 'Bearer one' },
  })
  writeFileSync(join(folder, 'token'), 'two')
  t.strictSame((await access?.credentials(false))?.headers, { authorization: 'Bearer two' })
})

t.test('a token that was rotated is used from the next refusal on', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  const kubeconfig = JSON.parse(cluster.api.kubeconfig('shop'))
  const token = writeFile(t, 'token', 'old')
  kubeconfig.users[0].user = { tokenFile: token }
  let wanted = 'old'
  cluster.api.faults.refuse = one => {
    if (one.headers.authorization === `Bearer ${wanted}`) return undefined
    // The kubelet writes the new token while the old one is being refused.
    writeFileSync(token, 'new')
    return 401
  }
  const source = createKubernetesSource({
    kubeconfig: writeFile(t, 'config', JSON.stringify(kubeconfig)),
    minBackoffMs: 1,
  })
  t.teardown(() => source.close())
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.untilTable('10.0.0.1:80=base')
  wanted = 'new'
  cluster.pod('u1', 'gray')
  cluster.api.endWatches()
  await seen.untilTable('10.0.0.1:80=gray')
  t.notOk(seen.kinds.includes('stale'), 'nobody noticed')
  wanted = 'none'
  cluster.api.endWatches()
  await seen.until(one => one.errors.some(error => (error as { code?: string }).code === 'LANEWAY_AUTH'))
  t.match(seen.errors.at(-1), { code: 'LANEWAY_AUTH', message: /does not accept the credentials/ })
})
