// The entrance of the profiles that have it: the Laneway gateway with the configuration of its ConfigMap.
import { readFileSync } from 'node:fs'
import { startGateway } from '@laneway/gateway'
import { watchRules } from '@laneway/rules'

const { GATEWAY_CONFIG } = process.env
const { gateway, close } = await startGateway(GATEWAY_CONFIG)
// By itself it looks at the file once a second; in a play time passes faster.
const { rules } = JSON.parse(readFileSync(GATEWAY_CONFIG, 'utf8'))
gateway.update({ rules: watchRules(rules.file, { intervalMs: 100, weightKey: rules.weightKey ?? 'random' }) })
console.log(`serving on ${gateway.address(0).port}`)
process.once('SIGTERM', close)
