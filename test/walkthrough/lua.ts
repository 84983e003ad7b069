import { spawnSync } from 'node:child_process'

/** What the controller gives to a script, as far as a route's script sees it. */
export interface LuaInput {
  readonly data: { spec: unknown; labels?: unknown; annotations?: unknown }
  readonly matches?: readonly unknown[]
  readonly requestHeaderModifier?: unknown
  readonly canaryWeight: number
  readonly stableWeight: number
  readonly canaryService: string
  readonly stableService: string
}

const ENCODE = `
local function encode(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 then
      for _, item in ipairs(value) do table.insert(parts, encode(item)) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    -- As the controller's own encoder has it.
    if next(value) == nil then return "[]" end
    for key, item in pairs(value) do table.insert(parts, string.format("%q:", key) .. encode(item)) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then return string.format("%q", value) end
  return tostring(value)
end
`

/** Runs a script as the controller does: `obj` is the input, the result is what it returns. */
export function runLua(script: string, input: LuaInput): any {
  const program = `obj = ${literal(input)}\nlocal result = (function()\n${script}\nend)()\n${ENCODE}\nio.write(encode(result))`
  const { status, stdout, stderr } = spawnSync('lua5.1', ['-'], { input: program, encoding: 'utf8' })
  if (status !== 0) throw new Error(`lua5.1: ${stderr}`)
  return JSON.parse(stdout)
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return `{${fields.map(([key, inner]) => `[${JSON.stringify(key)}]=${literal(inner)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
