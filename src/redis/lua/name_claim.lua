--[[ name_claim: claim what a new username looks like, all of it or nothing, for as long as it takes to make the account.
     KEYS  looks
     ARGV  user, lease (s, after which a claim that was not completed gives way), stale (JSON: look → what it held when no account with such
           a name was found), wanted (JSON: the looks)
     gives {look, user it belongs to, BUSY (is being claimed) or HELD, all that it holds, look, …} of those that are another's; {} where all are claimed ]]
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
