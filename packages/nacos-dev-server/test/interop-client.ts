import { NacosConfigClient, NacosNamingClient } from 'nacos-sdk-rust-binding-node'

/** The native client in a process of its own: it blocks its event loop while it connects. Driven over IPC by the test. */
const [address = '', username, password] = process.argv.slice(2)
const options = {
  serverAddr: address,
  namespace: '',
  appName: 'interop',
  namingPushEmptyProtection: false,
  ...(username !== undefined && password !== undefined && { username, password }),
}
const naming = patiently(() => new NacosNamingClient(options))
const config = patiently(() => new NacosConfigClient(options))
/** Its constructor gives up early on a machine that is busy. */
function patiently<Made>(make: () => Made): Made {
  for (let attempt = 1; ; attempt++) {
    try {
      return make()
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

const group = 'DEFAULT_GROUP'
const tell = (event: string, value: unknown): void => void process.send?.({ event, value })

const commands: Record<string, (...args: any[]) => unknown> = {
  register: (service, instance) => naming.registerInstance(service, group, instance),
  deregister: (service, instance) => naming.deregisterInstance(service, group, instance),
  batch: (service, instances) => naming.batchRegisterInstance(service, group, instances),
  list: service => naming.getAllInstances(service, group, [], false),
  subscribe: service => naming.subscribe(service, group, [], (_error, instances) => tell('instances', instances)),
  publish: (dataId, content) => config.publishConfig(dataId, group, content),
  read: async dataId => (await config.getConfig(dataId, group)) as unknown,
  remove: dataId => config.removeConfig(dataId, group),
  listen: dataId => config.addListener(dataId, group, (_error, { content }) => tell('config', content)),
}

process.on('message', async ({ id, command, args }: { id: number; command: string; args: unknown[] }) => {
  try {
    process.send?.({ id, value: await commands[command]?.(...args) })
  } catch (error) {
    process.send?.({ id, error: String(error) })
  }
})
process.on('disconnect', () => process.exit(0))
tell('up', undefined)
