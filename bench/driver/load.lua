-- What wrk sends. The scenario and its inputs come from the environment.
local scenario = os.getenv("BENCH_SCENARIO")
local run = os.getenv("BENCH_RUN")
local admin = os.getenv("BENCH_ADMIN")
local body_file = os.getenv("BENCH_BODY")
local base = "/api/BPMSelfService/commands/"

local tokens = {}
for line in io.lines(os.getenv("BENCH_TOKENS")) do tokens[#tokens + 1] = line end

local function head(message, token, length)
  return "POST " .. base .. message .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
    .. token .. "\r\nContent-Length: " .. length .. "\r\n\r\n"
end

local function post(message, token, body) return head(message, token, #body) .. body end

-- The users in no order that a cache would like.
local function customer(n) return tokens[(n * 7919) % #tokens + 1] end

local queries = {
  ["status"] = { count = 10000, make = function(n) return post("CheckLivenessStatusQuery", customer(n), "{}") end },
  ["get-user"] = {
    count = 200, make = function(n) return post("GetUserLivenessCheckQuery", admin, '{"userId":' .. 10000 + n .. "}") end
  },
  ["retrieve"] = {
    count = 1, make = function() return post("RetrieveLivenessChecksQuery", admin, '{"pageNumber":1,"pageSize":20}') end
  },
}

local made = {}
function init()
  local query = queries[scenario]
  if query then
    for n = 1, query.count do made[n] = query.make(n) end
  end
end

-- Where a submission has its session, and its image a comment, each has one of its own: no two phones send the same bytes.
local before, between, after
if body_file then
  local file = assert(io.open(body_file, "rb"))
  local body = file:read("*a")
  file:close()
  local from, to = body:find("@+")
  before, after = body:sub(1, from - 1), body:sub(to + 1)
  from, to = after:find(("A"):rep(12), 1, true)
  if from then between, after = after:sub(1, from - 1), after:sub(to + 1) end
end

local n, first = 0, os.time() % 1000000 * 1000000
function request()
  n = n + 1
  if not before then return made[n % #made + 1] end
  local own = { before, string.format("%s-%09d", run, n), after }
  if between then own = { own[1], own[2], between, string.format("%012d", first + n), after } end
  local length = 0
  for _, part in ipairs(own) do length = length + #part end
  return head("SubmitLivenessCheckCommand", customer(n), length) .. table.concat(own)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.6f,"bad_status":%d,"socket_errors":%d,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
