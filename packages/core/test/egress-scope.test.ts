import { channels, type EgressEvent, parseLane } from '@laneway/core'
import { createEgressScope, parseHost } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

const gray = parseLane('gray')!

t.test('by default internal hosts are in scope, and nothing else', async t => {
  const scope = createEgressScope('test')
  const inside = [
    'sc-b',
    'SC-B',
    'sc-b.',
    'sc_b',
    'localhost',
    'metadata-store',
    'sc-b.prod.svc',
    'sc-b.prod.svc.',
    'sc-b.prod.SVC.Cluster.Local',
    'a.cluster.local',
    'api.corp.internal',
    'printer.local',
    '127.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '017700000001',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    '[::1]',
    'fd12::1',
    '[fd12::1]',
    '::ffff:10.0.0.1',
    '[::ffff:a00:1]',
  ]
  const outside = [
    'api.stripe.com',
    'example.com.',
    'svc',
    'evil-svc.com',
    'sc-b.svc.evil.com',
    'cluster.local.evil.com',
    'notcluster.locale',
    'xn--fsq.com',
    '8.8.8.8',
    '172.32.0.1',
    '0.0.0.0',
    '134744072',
    '2001:db8::1',
    '[2001:db8::1]',
    '::',
    '224.0.0.1',
    '',
    '.',
    '..',
    'sc-b..',
    '-',
    'a b',
    'a/b',
    'user@sc-b',
    'evil.com#.svc',
    'evil.com\\.svc',
    'evil.com?.svc',
    'sc-b:80',
    'sc-b:8080',
    '[::1]:80',
    '[::1',
    'sc\n-b',
    'fe80::1%eth0',
  ]
  for (const host of inside) t.equal(scope.includes(host), true, host)
  // `svc` is a single label; only as a suffix does it mean a cluster.
  for (const host of outside.filter(one => one !== 'svc')) t.equal(scope.includes(host), false, host)
})

t.test('link-local addresses and metadata services never get the tag, whatever is listed', async t => {
  const scope = createEgressScope('test', {
    propagateTo: ['0.0.0.0/0', '::/0', '*.google.internal', '*.ec2.internal', '*.internal'],
  })
  for (const host of [
    '169.254.169.254',
    '169.254.0.1',
    '0xa9fea9fe',
    '2852039166',
    '169.254.43518',
    '[::ffff:169.254.169.254]',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    '[fe80::1]',
    'febf::1',
    '100.100.100.200',
    'fd00:ec2::254',
    'metadata.google.internal',
    'METADATA.GOOGLE.INTERNAL.',
    'instance-data.ec2.internal',
    'metadata.azure.internal',
    'metadata.packet.net',
    'metadata.platformequinix.com',
    'api.metadata.cloud.ibm.com',
    'instance-data.us-west-2.compute.internal',
    'Instance-Data.cn-north-1.Compute.Internal.',
    'fd00:ec2::23',
    '[64:ff9b::169.254.169.254]',
    '[::169.254.169.254]',
    '2002:a9fe:a9fe::1',
    '168.63.129.16',
    '0250.077.0201.020',
    '169.254.169.254.',
    '\uff11\uff16\uff19.254.169.254',
  ]) {
    t.equal(scope.includes(host), false, host)
    t.equal(scope.forbids(host), true, `${host}, for a tag set by hand too`)
  }
  t.equal(scope.includes('8.8.8.8'), true)
  for (const host of ['8.8.8.8', 'third.example', '10.0.0.1', 'sc-b']) t.equal(scope.forbids(host), false, host)
  t.equal(scope.includes('2001:db8::1'), true)
})

t.test('propagateTo takes exact hosts, sub-domains, addresses and CIDR blocks', async t => {
  const scope = createEgressScope('test', {
    propagateTo: ['API.partner.com.', '*.Trusted.example', '203.0.113.7', '198.51.100.0/24', '2001:db8:1::/48'],
  })
  const rows: readonly (readonly [host: string, inside: boolean])[] = [
    ['api.partner.com', true],
    ['Api.Partner.Com.', true],
    ['x.api.partner.com', false],
    ['partner.com', false],
    ['xapi.partner.com', false],
    ['a.trusted.example', true],
    ['a.b.trusted.example.', true],
    ['trusted.example', false],
    ['nottrusted.example', false],
    ['a.trusted.example.evil.com', false],
    ['203.0.113.7', true],
    ['203.0.113.8', false],
    ['0xcb007107', true],
    ['198.51.100.0', true],
    ['198.51.100.255', true],
    ['198.51.101.0', false],
    ['198.51.99.255', false],
    ['[::ffff:198.51.100.1]', true],
    ['2001:db8:1::1', true],
    ['[2001:db8:1:ffff::1]', true],
    ['2001:db8:2::1', false],
    ['sc-b', true],
  ]
  for (const [host, inside] of rows) t.equal(scope.includes(host), inside, host)
})

t.test('an entry that can match no host is refused', async t => {
  const bad: unknown[] = [
    '',
    '*',
    '*.',
    '*.*',
    '*.a.*',
    'a.*.com',
    '**.com',
    'https://api.partner.com',
    'api.partner.com/path',
    'api.partner.com:443',
    'user@api.partner.com',
    'a b',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0/8',
    'example.com/8',
    '::/129',
    '*.10.0.0.1',
    '169.254.169.254',
    'fe80::1',
    'metadata.google.internal',
    7,
    null,
    /partner/,
  ]
  for (const entry of bad) {
    t.throws(
      () => createEgressScope('composeLane', { propagateTo: ['ok.example', entry as string] }),
      { code: 'LANEWAY_INVALID_OPTION', message: /composeLane: propagateTo/ },
      String(entry),
    )
  }
  t.throws(() => createEgressScope('test', { propagateTo: 'a.com' as never }), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test(
  'one warning names host and option, the first time, for at most 100 hosts; events are never limited',
  async t => {
    const warnings: string[] = []
    const events: EgressEvent[] = []
    const collect = (event: unknown) => {
      events.push(event as EgressEvent)
    }
    channels.egress.subscribe(collect)
    t.teardown(() => channels.egress.unsubscribe(collect))
    const scope = createEgressScope('composeLane', { warn: message => warnings.push(message) })
    scope.blocked('api.stripe.com', gray)
    scope.blocked('api.stripe.com', parseLane('blue')!)
    t.equal(warnings.length, 1)
    t.match(warnings[0], /"gray".*api\.stripe\.com.*propagateTo.*composeLane/)
    for (let index = 0; index < 150; index++) scope.blocked(`host-${index}.example`, gray)
    t.equal(warnings.length, 100)
    t.equal(events.length, 152)
    t.strictSame(events[1], { host: 'api.stripe.com', lane: parseLane('blue'), action: 'blocked' })
  },
)

t.test('a verdict stays the same, however many hosts are asked about', async t => {
  const scope = createEgressScope('test')
  for (let index = 0; index < 5000; index++) scope.includes(`host-${index}.example`)
  t.equal(scope.includes('sc-b'), true)
  t.equal(scope.includes('host-1.example'), false)
})

t.test('a host is read as a URL reads it', async t => {
  t.strictSame(parseHost('SC-B.'), { name: 'sc-b', family: 0 })
  t.strictSame(parseHost('[FD00::0:1]'), { name: 'fd00::1', family: 6 })
  t.strictSame(parseHost('0x0a.1'), { name: '10.0.0.1', family: 4 })
  t.strictSame(parseHost('ＳＣ－Ｂ'), { name: 'sc-b', family: 0 })
  t.equal(parseHost('http://a'), undefined)
})

t.test('whatever the host, there is a verdict', async () => {
  const scope = createEgressScope('test', { propagateTo: ['*.example', '10.0.0.0/8'] })
  fc.assert(fc.property(fc.string({ unit: 'binary' }), host => typeof scope.includes(host) === 'boolean'))
  fc.assert(fc.property(fc.ipV4Extended(), host => typeof scope.includes(host) === 'boolean'))
  // The verdict is about the host that a URL with this text would go to.
  fc.assert(
    fc.property(fc.webAuthority({ withUserInfo: true, withPort: true }), authority => {
      const verdict = scope.includes(authority)
      return !verdict || scope.includes(new URL(`http://${authority}/`).hostname)
    }),
  )
})

t.test('what is longer than a host name can be is out of scope', async t => {
  const scope = createEgressScope('test')
  const label = 'a'.repeat(63)
  t.equal(scope.includes(`${label}.${label}.${label}.svc`), true)
  t.equal(scope.includes(`${label}.${label}.${label}.${label}.svc`), false)
})
