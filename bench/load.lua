-- Sends one body to contacts drawn at random, and tells what came of it as one line of JSON.
-- Arguments: the file of the body, the Authorization header, how many contacts, the first of them, the seed.

local requests, count = {}, 0

function init(args)
  local file = assert(io.open(args[1]))
  local template = file:read("*a")
  file:close()
  local headers = {["Content-Type"] = "application/json", ["Authorization"] = args[2]}
  count = tonumber(args[3])
  for number = 1, count do
    local contact = string.format("%.0f", tonumber(args[4]) + number - 1)
    local body = template:gsub("{contact}", contact)
    requests[number] = wrk.format("POST", nil, headers, body)
  end
  math.randomseed(tonumber(args[5]))
end

function request()
  return requests[math.random(count)]
end

function done(summary, latency)
  local lost = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "micros": %d, "refused": %d, "lost": %d, "p50": %d, "p99": %d, "longest": %d}\n',
    summary.requests, summary.duration, summary.errors.status, lost,
    latency:percentile(50), latency:percentile(99), latency.max))
end
