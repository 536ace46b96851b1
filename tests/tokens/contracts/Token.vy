# pragma version 0.4.3

name: public(constant(String[16])) = "Vyper Token"
symbol: public(constant(String[8])) = "VYPER"
decimals: public(constant(uint8)) = 18

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(holder: address, units: uint256):
    self.totalSupply = units
    self.balanceOf[holder] = units


@external
def transfer(to: address, units: uint256) -> bool:
    self.balanceOf[msg.sender] -= units
    self.balanceOf[to] += units
    return True
