--[[ name_claim: claim all skeletons of a new username, or none, until the account is created.
     KEYS  looks
     ARGV  user, lease: number (s, after which an incomplete claim expires), stale (JSON: skeleton → its value when no account with such a
           name was found), wanted (JSON: the skeletons)
     RETURNS  string[]; skeleton, its user, BUSY (being claimed) or HELD, its value, skeleton, … for those that belong to another user;
              [] if all are claimed now ]]
local looks = unpack(KEYS)
local user, lease, stale, wanted = unpack(ARGV)

local now = tonumber(redis.call('TIME')[1])
stale, wanted = cjson.decode(stale), cjson.decode(wanted)
local others = {}
for _, look in ipairs(wanted) do
  local held = redis.call('HGET', looks, look)
  local owner, deadline = string.match(held or '', '^(%d+) ?(%d*)$')
  if owner and owner ~= user and stale[look] ~= held then
    local busy = deadline ~= '' and now < tonumber(deadline)
    for _, told in ipairs({ look, owner, busy and 'BUSY' or 'HELD', held }) do others[#others + 1] = told end
  end
end
if #others > 0 then return others end
for _, look in ipairs(wanted) do redis.call('HSET', looks, look, string.format('%s %d', user, now + lease)) end
return {}
