import CMirl
import Mirl
