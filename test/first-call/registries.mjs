// The registries under test. `up()` lets the services reach it; until then connections are refused.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createNacosClient } from '@laneway/nacos'
import { createKubernetesRegistry, NAMESPACE_HOST } from '../servers/kubernetes/registry.mjs'
import { startControlPlane } from '../servers/kubernetes/start.mjs'
import { startNacos } from '../servers/nacos/start.mjs'

/** How far the registry is: on one machine it would have answered before a program can make its first call. */
const DISTANCE_MS = 150

/** A door in front of a server: closed, connections are refused. */
async function createDoor(target) {
  const port = await freePort()
  const sockets = new Set()
  const server = createServer(near => {
    const far = connect(target, '127.0.0.1')
    near.pipe(far)
    far.on('data', chunk => setTimeout(() => near.write(chunk), DISTANCE_MS))
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        setTimeout(() => to.destroy(), DISTANCE_MS + 1)
      })
    }
  })
  return {
    port,
    async open() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

export async function freePort(host = '127.0.0.1') {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Nacos: the services register themselves. */
export async function createNacos(kind) {
  const nacos = await startNacos(kind)
  const client = createNacosClient({ servers: nacos.http })
  return {
    addressOf: index => `127.20.0.${index}`,
    async fresh() {
      const door = await createDoor(nacos.port + 1000)
      return {
        environment: ({ service }) => ({ LANEWAY_NACOS: `127.0.0.1:${door.port - 1000}`, LANEWAY_SERVICE: service }),
        up: () => door.open(),
        add: async () => {},
        /** Whether the server lists all instances as healthy. */
        async lists(instances) {
          const names = [...new Set(instances.map(({ service }) => service))]
          const all = await Promise.all(names.map(service => client.naming.query({ service })))
          return all.flatMap(info => info.instances).length === instances.length
        },
        close: async () => door.close(),
      }
    },
    async stop() {
      await client.close()
      await nacos.stop()
    },
  }
}

/** The API server: pods and slices are made for the services, since no kubelet runs. */
export async function createKubernetes() {
  const plane = await startControlPlane()
  return {
    addressOf: index => NAMESPACE_HOST.replace(/\d+$/, String(10 + index)),
    async fresh() {
      const registry = await createKubernetesRegistry({ kubeconfig: plane.kubeconfig })
      const { KUBECONFIG } = registry.environment()
      const door = await createDoor(Number(new URL(plane.server).port))
      const config = readFileSync(KUBECONFIG, 'utf8')
      writeFileSync(KUBECONFIG, config.replaceAll(plane.server, `https://127.0.0.1:${door.port}`))
      let added = 0
      return {
        environment: () => ({ KUBECONFIG, LANEWAY_KUBERNETES: '1' }),
        up: () => door.open(),
        async add({ service, tag, address, port }) {
          await registry.add({ service, tag, address: `${address}:${port}` })
          added++
        },
        lists: async instances => added === instances.length,
        async close() {
          door.close()
          await registry.close()
        },
      }
    },
    stop: () => plane.stop(),
  }
}
