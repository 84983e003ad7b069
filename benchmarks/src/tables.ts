import type { Table } from './case.js'
import { core } from './cases/core.js'
import { egress } from './cases/egress.js'
import { gateway } from './cases/gateway.js'
import { grpc } from './cases/grpc.js'
import { hop } from './cases/hop.js'
import { hostile } from './cases/hostile.js'
import { ingress } from './cases/ingress.js'
import { ingressFrameworks } from './cases/ingress-frameworks.js'
import { kubernetes } from './cases/kubernetes.js'
import { memory } from './cases/memory.js'
import { messages } from './cases/messages.js'
import { nacos } from './cases/nacos.js'
import { pick } from './cases/pick.js'
import { rebuild } from './cases/rebuild.js'
import { register } from './cases/register.js'
import { rules } from './cases/rules.js'
import { scale } from './cases/scale.js'

/** Every table, in the order of the README. */
export const tables: readonly Table[] = [
  ...core,
  ...ingressFrameworks,
  ...ingress,
  ...egress,
  ...pick,
  ...rebuild,
  ...hop,
  ...grpc,
  ...register,
  ...rules,
  ...messages,
  ...gateway,
  ...hostile,
  ...nacos,
  ...kubernetes,
  ...memory,
  ...scale,
]
