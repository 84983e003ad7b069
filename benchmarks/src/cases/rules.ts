import type { Table } from '../case.js'
export const rules: readonly Table[] = []
