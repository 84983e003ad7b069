// A real RabbitMQ on loopback, with a node name, a home and ports of its own, so that several run side by side.
//   node test/servers/rabbitmq/start.mjs      prints a line of JSON, stays until SIGTERM
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../debian.mjs'
import { freePorts, launch, ownFolder, stayUntilEnded } from '../loopback-server.mjs'

/** The program itself; the one on the PATH changes the user. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Why there is no RabbitMQ, or undefined when there is. */
export function findRabbitmq() {
  if (existsSync(PROGRAM)) return undefined
  return findProgram('rabbitmqctl', 'rabbitmq-server') ?? (existsSync(PROGRAM) ? undefined : `no ${PROGRAM}`)
}

/**
 * Starts it with the user `guest`. Resolves with `{ host, port, url, managementUrl, pid, stop, restart }`; `restart()` kills the server
 * and brings it back on its port with its durable queues.
 */
export async function startRabbitmq({ management = false } = {}) {
  const { folder } = ownFolder('rabbitmq')
  const [port, dist, epmd, managementPort] = await freePorts(4)
  for (const one of ['home', 'log', 'mnesia']) mkdirSync(join(folder, one))
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp.1 = 127.0.0.1:${port}
loopback_users = none
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
${management ? `management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${managementPort}\n` : ''}`,
  )
  writeFileSync(join(folder, 'enabled_plugins'), management ? '[rabbitmq_management].' : '[].')
  const env = {
    ...process.env,
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `laneway${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${dist}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: `${epmd}`,
  }
  // Erlang starts one of its own otherwise, which outlives the server.
  const names = spawn('epmd', ['-address', '127.0.0.1', '-port', `${epmd}`], { env, stdio: 'ignore' })
  const killNames = () => names.kill('SIGKILL')
  names.on('error', () => {})
  process.once('exit', killNames)
  const endNames = () => {
    process.off('exit', killNames)
    killNames()
  }
  try {
    const start = () => launch('rabbitmq-server', folder, PROGRAM, [], { env, port })
    let server = await start()
    const stop = () => server.stop().finally(endNames)
    async function restart(awayMs = 0) {
      process.kill(-server.pid, 'SIGKILL')
      await server.gone
      // It would name a process that is gone.
      rmSync(join(folder, 'mnesia', `${env.RABBITMQ_NODENAME}.pid`), { force: true })
      await sleep(awayMs)
      server = await start()
    }
    const managementUrl = management ? `http://guest:guest@127.0.0.1:${managementPort}` : undefined
    const url = `amqp://guest:guest@127.0.0.1:${port}`
    return {
      host: '127.0.0.1',
      port,
      url,
      managementUrl,
      get pid() {
        return server.pid
      },
      stop,
      restart,
    }
  } catch (error) {
    endNames()
    throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = findRabbitmq()
  if (problem !== undefined) throw new Error(problem)
  await stayUntilEnded(startRabbitmq())
}
