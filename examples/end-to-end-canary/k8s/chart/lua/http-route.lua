-- Writes the strategy of a TrafficRouting into an HTTPRoute, and returns it. OpenKruise Rollouts gives `obj`: the route
-- as it was before the release in obj.data, and obj.matches, obj.canaryWeight (-1 for none), obj.stableWeight,
-- obj.stableService, obj.canaryService, obj.requestHeaderModifier. It writes the old route back at the end.
-- What the API server would fill in is written out here: the controller compares what it wants with what is there.
local spec = obj.data.spec

local function clone(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for key, inner in pairs(value) do result[key] = clone(inner) end
  return result
end

local function leadsTo(reference, service)
  return reference.name == service and (reference.kind or "Service") == "Service" and (reference.group or "") == ""
end

local function serves(rule)
  for _, reference in ipairs(rule.backendRefs or {}) do
    if leadsTo(reference, obj.stableService) then return true end
  end
  return false
end

-- A header, or a parameter, may stand only once in a match.
local function put(list, item, fold)
  for position, present in ipairs(list) do
    if fold(present.name) == fold(item.name) then
      list[position] = item
      return
    end
  end
  table.insert(list, item)
end

local function exactCase(name) return name end

local function merged(target, source)
  for _, header in ipairs(source.headers or {}) do
    target.headers = target.headers or {}
    put(target.headers, { type = header.type or "Exact", name = header.name, value = header.value }, string.lower)
  end
  for _, parameter in ipairs(source.queryParams or {}) do
    target.queryParams = target.queryParams or {}
    local item = { type = parameter.type or "Exact", name = parameter.name, value = parameter.value }
    put(target.queryParams, item, exactCase)
  end
  if source.path then target.path = clone(source.path) end
  return target
end

-- A filter may name a header once: what is set here is no longer removed.
local function without(names, items)
  local kept = {}
  for _, name in ipairs(names or {}) do
    local named = false
    for _, item in ipairs(items or {}) do named = named or string.lower(item.name) == string.lower(name) end
    if not named then table.insert(kept, name) end
  end
  if #kept == 0 then return nil end
  return kept
end

local function modified(filters)
  local wanted = obj.requestHeaderModifier
  if not wanted then return filters end
  filters = filters or {}
  for _, filter in ipairs(filters) do
    if filter.type == "RequestHeaderModifier" then
      local present = filter.requestHeaderModifier
      present.remove = without(without(present.remove, wanted.set), wanted.add)
      for _, action in ipairs({ "set", "add" }) do
        for _, item in ipairs(wanted[action] or {}) do
          present[action] = present[action] or {}
          put(present[action], clone(item), string.lower)
        end
      end
      for _, name in ipairs(wanted.remove or {}) do
        present.remove = present.remove or {}
        table.insert(present.remove, name)
      end
      return filters
    end
  end
  table.insert(filters, { type = "RequestHeaderModifier", requestHeaderModifier = clone(wanted) })
  return filters
end

local rules = {}
if obj.matches and #obj.matches > 0 then
  for _, rule in ipairs(spec.rules) do
    if serves(rule) then
      local gray = clone(rule)
      gray.matches = {}
      for _, present in ipairs(rule.matches or { { path = { type = "PathPrefix", value = "/" } } }) do
        for _, match in ipairs(obj.matches) do table.insert(gray.matches, merged(clone(present), match)) end
      end
      gray.filters = modified(gray.filters)
      for _, reference in ipairs(gray.backendRefs) do
        if leadsTo(reference, obj.stableService) then reference.name = obj.canaryService end
      end
      table.insert(rules, gray)
    end
  end
  for _, rule in ipairs(spec.rules) do table.insert(rules, rule) end
elseif obj.canaryWeight and obj.canaryWeight ~= -1 then
  for _, rule in ipairs(spec.rules) do
    if serves(rule) then
      local references = {}
      for _, reference in ipairs(rule.backendRefs) do
        if leadsTo(reference, obj.stableService) then
          local stable, gray = clone(reference), clone(reference)
          stable.weight = obj.stableWeight
          gray.weight = obj.canaryWeight
          gray.name = obj.canaryService
          gray.filters = modified(gray.filters)
          table.insert(references, stable)
          table.insert(references, gray)
        else
          table.insert(references, reference)
        end
      end
      rule.backendRefs = references
    end
    table.insert(rules, rule)
  end
else
  rules = spec.rules
end
spec.rules = rules
return obj.data
