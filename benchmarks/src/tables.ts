import type { Table } from './case.js'
import { core } from './cases/core.js'
import { discovery } from './cases/discovery.js'
import { egress } from './cases/egress.js'
import { hop } from './cases/hop.js'
import { ingress } from './cases/ingress.js'
import { rules } from './cases/rules.js'

/** Every table, in the order of the README. */
export const tables: readonly Table[] = [...core, ...ingress, ...egress, ...discovery, ...hop, ...rules]
