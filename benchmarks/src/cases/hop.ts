import type { Table } from '../case.js'
export const hop: readonly Table[] = []
