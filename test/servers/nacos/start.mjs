// Starts real Nacos servers without Docker, out of third-party rebuilds on Maven Central (the project behind Nacos publishes no
// server artifacts). For tests only: nothing of them is shipped. Needs JDK 17 and Maven 3.8.
//   node test/servers/nacos/start.mjs nacos3 [--port 8848] [--auth] [--tls|--mtls]     prints a line of JSON, stays until SIGTERM
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { classPath, run } from './maven.mjs'
import { schema } from './tables.mjs'

const HOST = '127.0.0.1'
const READY_MS = Number(process.env.NACOS_READY_TIMEOUT ?? 240) * 1000

/** Kinds of servers by name. */
export const kinds = {
  nacos3: { major: 3, version: process.env.NACOS3_VERSION ?? '3.1.0-bugfix' },
  nacos2: { major: 2, version: process.env.NACOS2_VERSION ?? '2.5.0' },
  'nacos2.2': { major: 2, console: true, version: '2.2.3' },
  rnacos: { major: 0, version: 'as given' },
}

function programOf(kind) {
  const { major, version, console: full } = kinds[kind]
  if (major === 3) {
    const group = 'io.github.pig-mesh.nacos'
    return {
      name: `nacos-${version}`,
      launcher: 'Nacos3.java',
      main: 'laneway.test.Nacos3',
      dependencies: [{ group, artifact: 'nacos-server', version, without: ['nacos-istio'] }],
    }
  }
  // Without a bill of materials Maven mixes two generations of Spring.
  const management = [{ group: 'org.springframework', artifact: 'spring-framework-bom', version: '5.3.39' }]
  if (full) {
    const group = 'org.jeecgframework.nacos'
    return {
      name: `nacos-${version}`,
      launcher: 'Nacos2Console.java',
      main: 'laneway.test.Nacos2Console',
      management,
      dependencies: [{ group, artifact: 'nacos-console', version, without: ['nacos-istio'] }],
    }
  }
  const group = 'io.xuxiaowei.nacos'
  const dependencies = ['nacos-naming', 'nacos-config', 'nacos-default-plugin-all'].map(artifact => ({
    group,
    artifact,
    version,
  }))
  return { name: `nacos-${version}`, launcher: 'Nacos2.java', main: 'laneway.test.Nacos2', management, dependencies }
}

/**
 * Starts a server and waits until HTTP, gRPC and, with auth, the login answer.
 * @returns {{ kind, version, http, grpc, port, pid, username?, password?, tls?, stop(): Promise<void> }}
 */
export async function startNacos(kind, options = {}) {
  if (!(kind in kinds)) throw new Error(`no such server: ${kind}; there are ${Object.keys(kinds).join(', ')}`)
  try {
    return await startOnce(kind, options)
  } catch (error) {
    // On a busy machine its database gives up on its own start, and another program may have taken a free port.
    console.error(`${error.message}; starting it once more`)
    return startOnce(kind, options)
  }
}

async function startOnce(kind, { port = 0, auth = false, tls = 'off', tokenSeconds = 18_000 }) {
  const { major, version } = kinds[kind]
  const folder = await mkdtemp(join(tmpdir(), `laneway-${kind}-`))
  const main = port === 0 ? await freePort() : port
  const password = major === 2 && kinds[kind].console ? 'nacos' : 'laneway-test'
  let child
  let log = ''
  const stop = async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(killer)
    }
    await rm(folder, { recursive: true, force: true })
  }
  const onExit = () => child?.kill('SIGKILL')
  process.once('exit', onExit)
  try {
    const certificates = tls === 'off' ? undefined : await makeCertificates(join(folder, 'tls'))
    if (major === 0) child = startRnacos(main, folder, auth, password, tokenSeconds)
    else {
      await mkdir(join(folder, 'conf'), { recursive: true })
      await writeFile(
        join(folder, 'conf', 'application.properties'),
        properties({ major, main, folder, auth, tls, certificates, tokenSeconds }),
      )
      const program = programOf(kind)
      if (major === 2 && !kinds[kind].console) await writeFile(join(folder, 'conf', 'derby-schema.sql'), schema)
      const jars = await classPath(program)
      const jvm = [
        '-Xms64m',
        `-Xmx${process.env.NACOS_HEAP ?? '512m'}`,
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-XX:-UsePerfData',
      ]
      const settings = {
        'user.home': folder,
        'nacos.home': folder,
        'nacos.standalone': 'true',
        'nacos.server.ip': HOST,
      }
      if (major === 3)
        Object.assign(settings, { 'nacos.deployment.type': 'server', 'nacos.remote.grpc.listen.ip': HOST })
      const defines = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
      child = spawn('java', [...jvm, ...defines, '-cp', `${join(folder, 'conf')}:${jars}`, program.main], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    }
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', chunk => (log = (log + chunk).slice(-100_000)))
    const until = Date.now() + READY_MS
    const living = () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${kind} ended while starting: ${lastError(log)}`)
      if (Date.now() > until) throw new Error(`${kind} was not ready after ${READY_MS} ms: ${lastError(log)}`)
    }
    while (!(await answers(main, major === 0 ? undefined : () => log.includes('laneway: started')))) {
      living()
      await sleep(100)
    }
    if (auth) await makeUser({ major, full: kinds[kind].console, main, password, living })
    return {
      kind,
      version,
      port: main,
      http: `${HOST}:${main}`,
      grpc: `${HOST}:${main + 1000}`,
      pid: child.pid,
      ...(auth && { username: 'nacos', password }),
      ...(certificates && { tls: certificates }),
      stop: async () => {
        process.removeListener('exit', onExit)
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function startRnacos(main, folder, auth, password, tokenSeconds) {
  const program = process.env.RNACOS_BIN
  if (!program) throw new Error('RNACOS_BIN names no r-nacos program')
  const env = {
    ...process.env,
    RNACOS_HTTP_PORT: String(main),
    RNACOS_HTTP_HOST: HOST,
    RNACOS_SDK_HOST: HOST,
    RNACOS_HTTP_CONSOLE_PORT: '0',
    RNACOS_DATA_DIR: folder,
    RNACOS_ENABLE_OPEN_API_AUTH: String(auth),
    RNACOS_INIT_ADMIN_USERNAME: 'nacos',
    RNACOS_INIT_ADMIN_PASSWORD: password,
    RNACOS_API_LOGIN_TIMEOUT: String(tokenSeconds),
  }
  return spawn(program, [], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

function properties({ major, main, folder, auth, tls, certificates, tokenSeconds }) {
  const lines = {
    'server.address': HOST,
    'server.tomcat.basedir': folder,
    'server.tomcat.accesslog.enabled': false,
    'nacos.core.auth.system.type': 'nacos',
    'nacos.core.auth.enabled': auth,
    'nacos.core.auth.caching.enabled': true,
    'nacos.core.auth.plugin.nacos.token.secret.key': Buffer.from('laneway-test-key-of-more-than-32-bytes').toString(
      'base64',
    ),
    'nacos.core.auth.plugin.nacos.token.expire.seconds': tokenSeconds,
    'nacos.core.auth.server.identity.key': 'laneway',
    'nacos.core.auth.server.identity.value': 'test',
    'spring.autoconfigure.exclude':
      'org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration,org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration',
    ...(major === 3
      ? {
          'nacos.server.main.port': main,
          'nacos.server.contextPath': '/nacos',
          'nacos.core.auth.admin.enabled': auth,
          'nacos.core.auth.console.enabled': auth,
          'management.endpoints.web.exposure.include': 'prometheus',
          'management.elastic.metrics.export.enabled': false,
          'management.influx.metrics.export.enabled': false,
        }
      : {
          'server.port': main,
          'server.servlet.contextPath': '/nacos',
          'management.metrics.export.elastic.enabled': false,
          'management.metrics.export.influx.enabled': false,
        }),
    ...(certificates && {
      'nacos.remote.server.rpc.tls.enableTls': true,
      'nacos.remote.server.rpc.tls.certChainFile': `file:${certificates.cert}`,
      'nacos.remote.server.rpc.tls.certPrivateKey': `file:${certificates.key}`,
      'nacos.remote.server.rpc.tls.trustCollectionCertFile': `file:${certificates.ca}`,
      'nacos.remote.server.rpc.tls.compatibility': tls === 'optional',
      'nacos.remote.server.rpc.tls.mutualAuthEnable': tls === 'mutual',
    }),
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** A throw-away authority with a server and a client certificate. */
export async function makeCertificates(folder) {
  await mkdir(folder, { recursive: true })
  const at = name => join(folder, name)
  await writeFile(at('server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  await writeFile(at('client.ext'), 'extendedKeyUsage=clientAuth\n')
  const openssl = (...args) => run('openssl', args)
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=laneway test authority',
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
  )
  for (const who of ['server', 'client']) {
    await openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      `/CN=${who}`,
      '-keyout',
      at(`${who}-key.pem`),
      '-out',
      at(`${who}.csr`),
    )
    await openssl(
      'x509',
      '-req',
      '-days',
      '3650',
      '-in',
      at(`${who}.csr`),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca-key.pem'),
      '-CAcreateserial',
      '-extfile',
      at(`${who}.ext`),
      '-out',
      at(`${who}.pem`),
    )
  }
  return {
    ca: at('ca.pem'),
    cert: at('server.pem'),
    key: at('server-key.pem'),
    clientCert: at('client.pem'),
    clientKey: at('client-key.pem'),
  }
}

/** With auth a server is ready when its user can log in; new users are known after up to 15 s. */
async function makeUser({ major, full, main, password, living }) {
  const base = `http://${HOST}:${main}/nacos`
  const made = major === 3 ? '/v3/auth/user/admin' : major === 2 && !full ? '/v1/auth/users/admin' : undefined
  if (made !== undefined) {
    const { status } = await fetch(`${base}${made}?password=${password}`, { method: 'POST' })
    if (status !== 200) throw new Error(`setting the password answered HTTP ${status}`)
  }
  const login = major === 3 ? '/v3/auth/user/login' : '/v1/auth/users/login'
  for (;;) {
    const answer = await fetch(`${base}${login}?username=nacos&password=${password}`, { method: 'POST' }).catch(
      () => undefined,
    )
    if (answer?.status === 200) return
    living()
    await sleep(500)
  }
}

async function answers(main, started) {
  if (started !== undefined && !started()) return false
  return (await open(main)) && (await open(main + 1000))
}

function open(port) {
  return new Promise(resolve => {
    const socket = connect(port, HOST, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Nacos takes four ports: N, N - 1000, N + 1000, N + 1001. */
async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const main = 13_000 + Math.floor(Math.random() * 1_400) * 10
    const free = await Promise.all([main, main - 1000, main + 1000, main + 1001].map(bindable))
    if (free.every(Boolean)) return main
  }
  throw new Error('no four free ports in 100 attempts')
}

function bindable(port) {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}

function lastError(log) {
  const lines = log.split('\n').filter(line => /ERROR|Caused by|Exception|panicked/.test(line) && !/^\s+at /.test(line))
  return (lines.at(-1) ?? log.slice(-200)).slice(0, 300)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '8848' },
      auth: { type: 'boolean' },
      tls: { type: 'boolean' },
      mtls: { type: 'boolean' },
    },
  })
  const server = await startNacos(positionals[0] ?? 'nacos3', {
    port: Number(values.port),
    auth: values.auth ?? false,
    tls: values.mtls ? 'mutual' : values.tls ? 'optional' : 'off',
  })
  console.log(JSON.stringify(server))
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void server.stop().then(() => process.exit(0)))
}
