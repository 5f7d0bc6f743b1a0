--[[ assistant_waiting: list the questions of a room that wait for the assistant, or are being answered.
     KEYS  consumed, log, cancelled, withdrawn
     ARGV  name (of the consumer)
     RETURNS  string[]; the messages, in the order of the questions ]]
local consumed, log, cancelled, withdrawn = unpack(KEYS)
local name = unpack(ARGV)
-- part: wanted_events
-- part: cancelled
-- part: questions

local waiting = {}
for _, question in ipairs(questions()) do waiting[#waiting + 1] = question.question end
return waiting
