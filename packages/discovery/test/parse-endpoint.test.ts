import t from 'tap'
import { parseEndpoint } from '../src/index.js'

const hosts: readonly [given: string, host: string, address: string][] = [
  ['10.0.0.7', '10.0.0.7', '10.0.0.7:80'],
  ['127.0.0.1', '127.0.0.1', '127.0.0.1:80'],
  ['223.255.255.255', '223.255.255.255', '223.255.255.255:80'],
  ['::1', '::1', '[::1]:80'],
  ['[::1]', '::1', '[::1]:80'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', '[2001:db8::1]:80'],
  ['::ffff:10.0.0.7', '::ffff:a00:7', '[::ffff:a00:7]:80'],
  ['sc-b', 'sc-b', 'sc-b:80'],
  ['SC-B.Example.COM', 'sc-b.example.com', 'sc-b.example.com:80'],
  ['sc-b.example.', 'sc-b.example', 'sc-b.example:80'],
  ['3com', '3com', '3com:80'],
  ['1.2.3.4.example', '1.2.3.4.example', '1.2.3.4.example:80'],
  [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b:80`],
]

t.test('IP literal, IPv6 bracketed once, or RFC 1123 name', async t => {
  for (const [given, host, address] of hosts) {
    t.match(parseEndpoint({ host: given, port: 80 }), { host, address }, given)
  }
})

const refusedHosts: readonly [name: string, host: unknown][] = [
  ['empty', ''],
  ['not a string', 7],
  ['userinfo', 'user@sc-b'],
  ['userinfo with password', 'user:secret@sc-b'],
  ['slash', 'sc-b/x'],
  ['question mark', 'sc-b?x'],
  ['hash', 'sc-b#x'],
  ['backslash', 'sc-b\\x'],
  ['space', 'sc b'],
  ['leading space', ' sc-b'],
  ['tab', 'sc-b\t'],
  ['line break', 'sc-b\r\nx-mse-tag: gray'],
  ['NUL', 'sc-b\0'],
  ['port inside', 'sc-b:80'],
  ['port inside brackets', '[::1]:80'],
  ['brackets twice', '[[::1]]'],
  ['brackets around IPv4', '[10.0.0.7]'],
  ['brackets around a name', '[sc-b]'],
  ['IPv6 zone', 'fe80::1%eth0'],
  ['0.0.0.0', '0.0.0.0'],
  ['this network', '0.1.2.3'],
  ['::', '::'],
  [':: in full', '0:0:0:0:0:0:0:0'],
  [':: mapped', '::ffff:0.0.0.0'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['multicast mapped', '::ffff:224.0.0.1'],
  ['IPv6 multicast', 'ff02::1'],
  ['link-local', '169.254.1.1'],
  ['cloud metadata', '169.254.169.254'],
  ['cloud metadata mapped', '::ffff:169.254.169.254'],
  ['cloud metadata of Alibaba Cloud', '100.100.100.200'],
  ['cloud metadata by name', 'metadata.google.internal'],
  ['cloud metadata by name, in capitals and with a dot', 'Metadata.Google.Internal.'],
  ['cloud metadata of AWS by name', 'instance-data.ec2.internal'],
  ['IPv6 link-local', 'fe80::1'],
  ['credentials of EKS pods', 'fd00:ec2::23'],
  ['the host agent of Azure', '168.63.129.16'],
  ['cloud metadata behind NAT64', '64:ff9b::169.254.169.254'],
  ['cloud metadata behind 6to4', '2002:a9fe:a9fe::'],
  ['cloud metadata, IPv4-compatible', '::169.254.169.254'],
  ['IPv4 as a number', '2852039166'],
  ['IPv4 in hexadecimal', '0x7f.1'],
  ['IPv4 with few parts', '127.1'],
  ['IPv4 with leading zero', '010.0.0.1'],
  ['IPv4 out of range', '256.0.0.1'],
  ['underscore', 'sc_b'],
  ['leading hyphen', '-sc'],
  ['trailing hyphen', 'sc-'],
  ['empty label', 'a..b'],
  ['label of 64', 'a'.repeat(64)],
  ['name of 254', `${'a.'.repeat(126)}ab`],
  ['UTF-8', 'sc-ä'],
  ['__proto__', '__proto__'],
]

t.test('any other host is refused', async t => {
  for (const [name, host] of refusedHosts) {
    const problems: string[] = []
    const endpoint = parseEndpoint({ host, port: 80 }, { refused: problem => problems.push(problem) })
    t.equal(endpoint, undefined, name)
    t.equal(problems.length, 1, `${name}: ${problems}`)
  }
})

t.test('allowLinkLocal accepts link-local addresses, and only them besides', async t => {
  for (const host of ['169.254.1.1', 'fe80::1']) t.ok(parseEndpoint({ host, port: 80 }, { allowLinkLocal: true }), host)
  for (const host of ['0.0.0.0', '::', '224.0.0.1', 'fe80::1%eth0']) {
    t.equal(parseEndpoint({ host, port: 80 }, { allowLinkLocal: true }), undefined, host)
  }
})

const fields: readonly [name: string, field: object, accepted: boolean][] = [
  ['port 1', { port: 1 }, true],
  ['port 65535', { port: 65535 }, true],
  ['port 0', { port: 0 }, false],
  ['port 65536', { port: 65536 }, false],
  ['port NaN', { port: Number.NaN }, false],
  ['port 80.5', { port: 80.5 }, false],
  ['port as text', { port: '80' }, false],
  ['no port', { port: undefined }, false],
  ['weight 0', { weight: 0 }, true],
  ['weight 0.5', { weight: 0.5 }, true],
  ['weight NaN', { weight: Number.NaN }, false],
  ['weight infinite', { weight: Number.POSITIVE_INFINITY }, false],
  ['weight negative', { weight: -1 }, false],
  ['weight as text', { weight: '1' }, false],
  ['health unhealthy', { health: 'unhealthy' }, true],
  ['health of another kind', { health: 'UP' }, false],
  ['enabled as text', { enabled: 'false' }, false],
  ['zone as number', { zone: 1 }, false],
  ['tags as text', { tags: 'gray' }, false],
  ['a tag outside the grammar', { tags: ['gray', 'gr ay'] }, false],
  ['a list as one tag', { tags: ['gray,blue'] }, false],
  ['a tag of 64 characters', { tags: ['a'.repeat(64)] }, false],
  ['a tag of 63 characters', { tags: ['a'.repeat(63)] }, true],
  ['__proto__ as a tag', { tags: ['__proto__'] }, false],
]

t.test('port, weight, health, enabled, zone and tags are checked', async t => {
  for (const [name, field, accepted] of fields) {
    t.equal(parseEndpoint({ host: '10.0.0.7', port: 80, ...field }) !== undefined, accepted, name)
  }
  for (const input of [undefined, null, 7, 'sc-b:80', []]) t.equal(parseEndpoint(input), undefined, String(input))
})

t.test('an endpoint is frozen and complete', async t => {
  const endpoint = parseEndpoint({ host: '10.0.0.7', port: 80 })
  t.strictSame(endpoint, {
    address: '10.0.0.7:80',
    host: '10.0.0.7',
    port: 80,
    weight: 1,
    health: 'unknown',
    enabled: true,
    secure: false,
    zone: undefined,
    tags: [],
    metadata: {},
  })
  t.ok(Object.isFrozen(endpoint))
  t.ok(Object.isFrozen(endpoint?.tags))
  t.ok(Object.isFrozen(endpoint?.metadata))
})

t.test('tags are a set, in which base and the empty string say base', async t => {
  const tags = (...given: string[]) => parseEndpoint({ host: '10.0.0.7', port: 80, tags: given })?.tags
  t.strictSame(tags('gray', 'blue', 'gray'), ['gray', 'blue'])
  t.strictSame(tags('base'), [])
  t.strictSame(tags('', 'base', 'gray'), ['gray'])
})

t.test('metadata is copied, and cannot reach a prototype', async t => {
  const metadata = JSON.parse('{"a":"1","__proto__":"x","n":1}')
  const endpoint = parseEndpoint({ host: '10.0.0.7', port: 80, metadata })
  metadata.a = '2'
  t.strictSame(endpoint?.metadata, { a: '1' })
})
