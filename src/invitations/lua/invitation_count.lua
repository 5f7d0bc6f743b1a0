--[[ invitation_count: count invitations against the inviter's limit of open ones, before they are made. An invitation that is counted
     already is not counted twice.
     KEYS  inviting
     ARGV  room_id, users: readonly string[] (ids of the invited users), most: number, most_each: number (to one user), lasts: number
           (seconds)
     RETURNS  "" | "FULL" | `FULL ${string}`; '' if they are counted now, FULL if there are too many, FULL and a user's id if there are
              too many to that user ]]
local inviting = unpack(KEYS)
local room_id, users, most, most_each, lasts = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZREMRANGEBYSCORE', inviting, '-inf', string.format('%.0f', now - lasts * 1000000))
local each, counted = {}, {}
local open = redis.call('ZRANGE', inviting, 0, -1)
for _, entry in ipairs(open) do
  local user = string.match(entry, '^%d+')
  each[user] = (each[user] or 0) + 1
  counted[entry] = true
end
local new = {}
for user in string.gmatch(users, '%d+') do
  local entry = user .. ' ' .. room_id
  if not counted[entry] then
    if (each[user] or 0) >= tonumber(most_each) then return 'FULL ' .. user end
    new[#new + 1] = entry
  end
end
if #open + #new > tonumber(most) then return 'FULL' end
for _, entry in ipairs(new) do redis.call('ZADD', inviting, string.format('%.0f', now), entry) end
redis.call('EXPIRE', inviting, lasts)
return ''
