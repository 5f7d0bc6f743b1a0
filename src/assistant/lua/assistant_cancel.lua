--[[ assistant_cancel: cancel a user's questions in a room. A question that is being answered is only marked; its worker then ends the
     answer.
     KEYS  asked, reply, withdrawn
     ARGV  user
     RETURNS  number; how many questions were cancelled ]]
local asked, reply, withdrawn = unpack(KEYS)
local user = unpack(ARGV)
-- part: withdrawn

local begun = redis.call('HGET', reply, 'state') == 'WRITING' and redis.call('HGET', reply, 'entry')
local found = 0
for _, entry in ipairs(redis.call('LRANGE', asked, 0, -1)) do
  if string.match(entry, '%d+$') == user then
    found = found + 1
    if entry == begun then
      redis.call('HSET', reply, 'cancelled', 1)
    else
      redis.call('LREM', asked, 1, entry)
      withdraw(entry)
    end
  end
end
return found
