-- Sends what the plan says (see load.py): one line a request, `group <tab> weight <tab> request`.

local groups, wheel, counter = {}, {}, 0

function init(arguments)
  local seed = tonumber(arguments[2])
  for line in io.lines(arguments[1]) do
    local group, weight, text = line:match("^(%d+)\t(%d+)\t(.*)$")
    group = tonumber(group)
    text = text:gsub("\\r\\n", "\r\n")
    if not groups[group] then
      groups[group] = { next = 0, unique = text:find("@@@@@@@@@@", 1, true) ~= nil }
      for _ = 1, tonumber(weight) do wheel[#wheel + 1] = groups[group] end
    end
    table.insert(groups[group], text)
  end
  math.randomseed(seed)
  for _, group in ipairs(groups) do group.next = math.random(#group) end
  counter = seed * 1000000
end

function request()
  local group = #wheel == 1 and wheel[1] or wheel[math.random(#wheel)]
  group.next = group.next % #group + 1
  local text = group[group.next]
  if group.unique then
    counter = counter + 1
    text = text:gsub("@@@@@@@@@@", string.format("%010d", counter))
  end
  return text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %f, "bytes": %d, "p50": %f, "p99": %f, "errors": '
      .. '{"status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}}\n',
    summary.requests, summary.duration / 1000000, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
