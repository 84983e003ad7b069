// The entrance of the profiles that have it: the Laneway gateway with the configuration of its ConfigMap.
import { startGateway } from '@laneway/gateway'

const { gateway, close } = await startGateway(process.env.GATEWAY_CONFIG)
console.log(`serving on ${gateway.address(0).port}`)
process.once('SIGTERM', close)
